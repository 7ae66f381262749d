/**
 * The keys that CNTK 2.0 reads, by kind of section; a key is looked up in the sections around too, so that each may also
 * stand further out. Sources: SGDLib/SGD.cpp, ActionsLib/*.cpp, CNTK.cpp, Readers/.
 */
const words = (text: string): readonly string[] => text.split(/\s+/).filter(Boolean);

export const sgdKeys = words(`
  adaptationRegType adaptationRegWeight AutoAdjust batchNormalizationBlendTimeConstant batchNormalizationTimeConstant
  clippingThresholdPerSample disableRegInBatchNormalization distributedMBReading doReferenceAlign dropoutRate epochSize
  evalCriterionNodeName executionEngine firstMBsToShowResult frameDropThresh fsAdagradTargetAvDenom gaussianNoiseInjectStd
  gradientcheck gradientClippingWithTruncation gradUpdateType hSmoothingWeight keepCheckPointFiles L1RegWeight L2RegWeight
  learningRatesPerMB learningRatesPerSample loadBestModel maxEpochs maxSamplesInRAM maxTempMemSizeInSamplesForCNN
  minibatchSize minLearningRatePerSample modelPath momentumAsTimeConstant momentumPerMB momentumPerSample
  normWithAveMultiplier numMBsToCUDAProfile numMBsToShowResult numSubminibatches packThresholdSizeInKB ParallelTrain
  precision rms_gamma rms_wgt_dec rms_wgt_inc rms_wgt_max rms_wgt_min saveBestModelPerCriterion seqGammarAMF
  seqGammarBMMIFactor seqGammarLMF seqGammarUsesMBR seqGammarWordPen sigFigs tensorBoardLogDir
  tensorBoardNumMBsToLogResult traceLevel traceNodeNamesCategory traceNodeNamesReal traceNodeNamesSparse
  trainCriterionNodeName truncated unitTest useAdagrad UseAllDataForPreComputedNode useNAG varianceTimeConstant`);

export const autoAdjustKeys = words(`
  autoAdjustLR autoAdjustMinibatch continueReduce increaseLearnRateIfImproveMoreThan learnRateAdjustInterval
  learnRateDecreaseFactor learnRateIncreaseFactor loadBestModel minibatchSearchCriterionErrorMargin
  minibatchSizeTuningFrequency minibatchSizeTuningMax numBestSearchEpoch numMiniBatch4LRSearch numPrevLearnRates
  numSamples4Search reduceLearnRateIfImproveLessThan UseCVSetControlLRIfCVExists UseEvalCriterionControlLR`);

export const parallelKeys = words(`
  BlockMomentumSGD DataParallelASGD DataParallelSGD distributedMBReading ModelAveragingSGD parallelizationMethod
  parallelizationStartEpoch syncPerfStats adjustCoefficient AdjustLearningRateAtBeginning adjustPerMinibatches adjustType
  blockLearningRate blockMomentumAsTimeConstant blockMomentumPerSync blockSize blockSizePerWorker gradientBits
  resetSGDMomentum SGDOptimizer SimModelAverage syncFrequencyInFrames syncPeriod syncPeriodPerWorker syncPeroid
  useBufferedAsyncGradientAggregation useNesterovMomentum UsePipeline useZeroThresholdFor1BitQuantization`);

export const readerKeys = words(`
  acousticScale action alignments allowMapCreation alwaysOneSampleOnly blockRandomize cacheBlockSize Cast checkData
  chunkSizeInBytes customDecimalPoint customDelimiter dataMultiPass DataReaderPlugin denlats denLatTocFile deserializers
  directory equalLength expandToUtterance featureTransform file frameMode grayscale hashSequenceKeys
  ignoresentencebegintag input ioNodeNames isProposal keepDataInMemory labels legacyMode lmScale maxErrors
  maxUtteranceLength minibatchMode mode multiThreadedDeserialization nbrUttsInEachRecurrentIter noise_number numCPUThreads
  numLatTocFile numSequences oldAcousticScale oneSilenceClass pageFilePath phoneFile precision prefetch prefixPathInSCP
  prefixPathInToc randomizationSeed randomizationWindow randomize readers readerType readMethod rx
  sampleBasedRandomizationWindow seqTrainCriterion silPhoneList skipSequenceIds traceLevel transPFile transforms truncated
  truncationLength unigram unk useMersenneTwisterRand useNumericSequenceKeys verbosity wfile wordclass wordContext wordmap
  writerType`);

/** Of one stream in a reader, or of one deserializer or transform. */
export const streamKeys = words(`
  alias areaRatio aspectRatio beginSequence brightnessRadius channels contrastRadius contextWindow cropSize cropType
  definesMBSize dim elementType endSequence file fixedSize format grayscale hashSequenceKeys height hflip input
  intensityFile intensityStdDev interpolations jitterType kaldiModel keepDataInMemory labelDim labelMappingFile
  labelToTargetMappingFile labelType localTimeline maxErrors mbFormat meanFile mlfFile mlfFileList module
  multiViewCrop numberobs oneLinePerFile padValue phoneBoundaries phoneFile prefixPathInSCP precision randomize
  readMethod rx saturationRadius scaleMode scpFile sectionType sideRatio skipSequenceIds start statelist statePath targetDim
  targets_delay token traceLevel transforms transPFile truncated type unk useWordMap value wfile width wordclass wordmap
  writerType expandToUtterance chunkSizeInBytes indexFile maxUtteranceLength numCPUThreads range featureTransform alignments
  sizeOfSequence nbruttsineachrecurrentiter useMersenneTwisterRand unigram`);

export const simpleNetworkKeys = words(`
  addDropoutNodes applyMeanVarNorm auxfeatdim cls2index constForgetGateValue constInputGateValue constOutputGateValue
  defaultHiddenActivity deviceId directConnect evalCriterion forgetGateInitVal initValueScale inputGateInitVal
  labelEmbeddingSize layerSizes layerTypes lookupTableOrder lookupTableOrderSizes maOrder modelPath nbrClass needPrior
  noise_number outputGateInitVal outputLayerSize randomSeedOffset recurrentLayer rnnType sparseinput streamSizes traceLevel
  trainingCriterion uniformInit vocabSize word2cls`);

export const ndlKeys = words(
  "deviceId dumpFileName load modelPath ndlMacros networkDescription randomSeedOffset run traceLevel",
);

/** Of a command, whatever its action, and of the whole. */
const commandKeys = words(`
  action AlignedSize allowMapCreation beginSequence BrainScriptNetworkBuilder command createNetwork crossValidationInterval
  currentDirectory cutoff cvReader deviceId doneFile editPath enableDistributedMBReading endSequence epochSize evalNodeNames
  ExperimentalNetworkBuilder firstMBsToShowResult forceConstantRandomSeed forceDeterministicAlgorithms format
  hyperCompressMemory include inputFile itersPerNode KeepRatio labelMappingFile makeMode maxEpochs maxSamplesInRAM
  minibatchSize modelPath nbrClass NDLNetworkBuilder ndlMacros newModelPath nodeName nodeNameRegex nodeUnitTest
  numCPUThreads numMBsToShowResult numSubminibatches optimizeGradientAccumulation optimizer origModelFileName
  outputCls2Index outputDotFile outputFile outputMappingFile outputModelPath outputNodeNames outputPath outputVocabFile
  outputWord2Cls parallelTrain precision printMetadata printValues profilerBufferSize profilerEnabled profilerSyncGpu
  progressTracing randomize reader refNodeName renderCmd section SGD shareNodeValueMatrices SimpleNetworkBuilder
  sleepTimeBetweenRuns stderr SVDConfig timestamping traceGPUMemoryAllocations traceLevel traceNodeNamesCategory
  traceNodeNamesReal traceNodeNamesSparse truncated type unittest unk useAllDataForPreComputedNode vocabSize WorkDir writer
  writeSequenceKey adaptationRegType adaptationRegWeight ExpDir RunDir`);

/** What may stand beside the commands or in one of them: their own keys and those of the sections inside. */
export const outerKeys: readonly string[] = [
  ...new Set([...commandKeys, ...sgdKeys, ...readerKeys, ...simpleNetworkKeys, ...ndlKeys]),
];
